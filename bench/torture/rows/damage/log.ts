import { reserveMemory } from "@varve/bytes";
import {
  isStorageError,
  type Lsn,
  type RecoveryMode,
  type WalRecovery,
  type WriteAheadLog,
} from "@varve/contracts";
import type { SimDisk } from "@varve/disk/sim";
import { readAll } from "@varve/disk/transfer";
import { syncWal } from "@varve/wal/sync";
import { Broken } from "../../row.ts";
import type { Damage } from "./file.ts";
import { judgeDamage, mapSegment, type SegmentMap, type Verdict } from "./segment.ts";
import { DIR, putFile } from "./store.ts";

const WAL_DIR = `${DIR}/wal`;
const memory = reserveMemory({ bytesMax: 2 ** 20 });
/** Prometheus' samples: the log believes no record about what is in it. */
const RECORD_TYPE = 2;
const RECORD_BYTES = 40;

/** A log that tells what was told to it. */
interface Told {
  readonly lsns: readonly Lsn[];
  readonly recovery: WalRecovery;
}

/** The log of a good store by itself: opened with every damage to one of its segments, and held against all its bytes. */
export class DamagedLog {
  readonly map: SegmentMap;
  readonly #disk: SimDisk;
  readonly #path: string;
  readonly #bytes: Uint8Array;
  readonly #storeId: string;
  /** Records by batch, as the sound log tells them. */
  readonly #records = new Map<Lsn, Uint8Array[]>();
  /** What later segments prove durable: that they were begun. */
  readonly #laterDurable: Lsn;
  readonly #last: Lsn;
  /** Rests of the log before the segment: the checkpoint's batch, and segments. */
  readonly #isLastSegment: boolean;

  private constructor(disk: SimDisk, path: string, storeId: string) {
    this.#disk = disk;
    this.#path = path;
    this.#storeId = storeId;
    this.#bytes = readAll(disk, path);
    this.map = mapSegment(this.#bytes);
    const later = disk
      .list(WAL_DIR)
      .map((name) => `${WAL_DIR}/${name}`)
      .filter((each) => disk.kind(each) === "file" && each > path);
    this.#isLastSegment = later.length === 0;
    this.#laterDurable = this.#isLastSegment ? 0 : lastOf(this.map);
    this.#last = later.reduce((last, each) => {
      const map = mapSegment(readAll(disk, each));
      return Math.max(last, lastOf(map));
    }, lastOf(this.map));
  }

  static async open(disk: SimDisk, path: string): Promise<DamagedLog> {
    const format = new TextDecoder().decode(readAll(disk, `${DIR}/FORMAT`));
    const log = new DamagedLog(disk, path, /store ([0-9a-f]{32})/.exec(format)![1]!);
    const wal = await log.#open(disk.image("nothing"), "tail");
    wal.replay((bytes, from, until, lsn) => {
      const records = log.#records.get(lsn) ?? [];
      records.push(bytes.slice(from, until));
      log.#records.set(lsn, records);
    });
    await wal[Symbol.asyncDispose]();
    return log;
  }

  /** Opens the log in its default mode: refused, or cut and told, or whole; and it goes on. */
  async check(damage: Damage): Promise<void> {
    const verdict = judgeDamage(this.map, this.#bytes, damage, this.#laterDurable);
    const disk = this.#disk.image("nothing");
    putFile(disk, this.#path, damage.bytes);
    const before = this.#isLastSegment ? null : disk.image("nothing");
    let told: Told;
    const wal = await this.#open(disk, "tail");
    try {
      told = this.#replay(wal);
    } catch (error) {
      await wal[Symbol.asyncDispose]();
      this.#checkRefusal(error, verdict, damage);
      await this.#checkOtherModes(before ?? disk, verdict, damage);
      return;
    }
    if (verdict.durable > verdict.intact) {
      throw new Broken(
        "lost",
        `batch ${verdict.intact + 1} was acknowledged, as batch ${verdict.durable} was, and the log was opened`,
      );
    }
    this.#checkCut(told, verdict, damage);
    await this.#goOn(wal, disk, told);
  }

  #checkRefusal(error: unknown, verdict: Verdict, { from }: Damage): void {
    if (error instanceof Broken || !isStorageError(error)) throw error;
    const { code, facts } = error;
    if (code !== "WAL_CORRUPT") throw new Broken("wrong", `refused as ${code}: ${error.message}`);
    const isAcknowledged = verdict.durable > verdict.intact;
    if (!isAcknowledged) {
      // A segment's first record was durable before anything followed it; later segments are proof by themselves.
      if (verdict.isHead || verdict.isUnsure || !this.#isLastSegment) return;
      throw new Broken("wrong", `a torn tail at ${from} was refused: ${error.message}`);
    }
    if (facts["ackedDataAffected"] !== true && !verdict.isHead) {
      throw new Broken(
        "wrong",
        `batch ${verdict.durable} was acknowledged, and the refusal does not say so: ${error.message}`,
      );
    }
  }

  /** All that was not touched is told, and what is missing is reported. */
  #checkCut({ lsns, recovery }: Told, verdict: Verdict, damage: Damage): void {
    const last = lsns.at(-1) ?? 0;
    if (last < verdict.intact) {
      throw new Broken("lost", `batch ${last + 1} is missing, which was not touched`);
    }
    const { unclean, bytesCut, cutReason, quarantined } = recovery;
    if (last === this.#last) return;
    const isSilent =
      !unclean || bytesCut === 0 || cutReason === "" || (last > 0 && quarantined.length === 0);
    // A file that ends between batches, or before the first, looks like one of a process that died there.
    const { batches, headEnd } = this.map;
    const ends = [headEnd, ...batches.map(({ until }) => until)];
    const isBetween = damage.kind === "cut" && ends.includes(damage.from);
    if (isBetween ? !unclean : isSilent && damage.from >= this.map.headEnd) {
      throw new Broken(
        "lost",
        `batches ${last + 1} to ${this.#last} are gone, and nothing tells of it: ${JSON.stringify(recovery)}`,
      );
    }
  }

  /** Appends, closes, and finds all of it again. */
  async #goOn(wal: WriteAheadLog, disk: SimDisk, told: Told): Promise<void> {
    const expected = told.lsns.at(-1) ?? 0;
    const lsn = appendOne(wal);
    await wal.commit();
    await wal[Symbol.asyncDispose]();
    const again = await this.#open(disk.image("nothing"), "tail");
    const after = this.#replay(again, lsn);
    await again[Symbol.asyncDispose]();
    const last = after.lsns.at(-1);
    if (last !== lsn || after.recovery.unclean || after.lsns.length !== told.lsns.length + 1) {
      throw new Broken(
        "lost",
        `after batch ${expected}, ${lsn} was appended, and ${last} came back`,
      );
    }
  }

  /** What the other modes tell of a log that was refused: never what was not written, and all before the damage. */
  async #checkOtherModes(sound: SimDisk, verdict: Verdict, damage: Damage): Promise<void> {
    const isSimple = damage.kind === "cut" || damage.kind === "flipped";
    if (!isSimple || damage.from % 8 !== 0) return;
    for (const mode of ["pointInTime", "salvage"] as const) {
      const disk = sound.image("nothing");
      const wal = await this.#open(disk, mode);
      const { lsns } = this.#replay(wal, -1, mode);
      const told = new Set(lsns);
      const untouched = [...this.#records.keys()].filter(
        (lsn) => lsn <= verdict.intact || (mode === "salvage" && lsn > verdict.touched + 1),
      );
      const lost = untouched.find((lsn) => !told.has(lsn));
      await wal[Symbol.asyncDispose]();
      if (lost !== undefined)
        throw new Broken("lost", `${mode} lost batch ${lost}, which is sound`);
    }
  }

  async #open(disk: SimDisk, recovery: RecoveryMode): Promise<WriteAheadLog> {
    return syncWal({ segmentBytesMax: 32 * 1024 }).open({
      memory,
      disk,
      dir: WAL_DIR,
      quarantineDir: `${DIR}/quarantine`,
      storeId: this.#storeId,
      recovery,
    });
  }

  /** Every record is one that was written, in order, in batches that are whole. `appended` is the batch that a trial added. */
  #replay(wal: WriteAheadLog, appended: Lsn = -1, mode: RecoveryMode = "tail"): Told {
    const lsns: Lsn[] = [];
    let count = 0;
    const endBatch = (): void => {
      const lsn = lsns.at(-1);
      if (lsn === undefined || lsn === appended) return;
      const records = this.#records.get(lsn)!;
      if (count !== records.length)
        throw new Broken("wrong", `batch ${lsn} has ${count} of ${records.length} records`);
    };
    const recovery = wal.replay((bytes, from, until, lsn) => {
      const last = lsns.at(-1);
      if (lsn !== last) {
        endBatch();
        const isNext = last === undefined || lsn === last + 1 || (mode === "salvage" && lsn > last);
        if (!isNext) throw new Broken("wrong", `batch ${lsn} was told after batch ${last}`);
        lsns.push(lsn);
        count = 0;
      }
      const record = lsn === appended ? recordOf(appended) : this.#records.get(lsn)?.[count];
      if (record === undefined || Buffer.compare(record, bytes.subarray(from, until)) !== 0) {
        throw new Broken("wrong", `record ${count} of batch ${lsn} is not what was appended`);
      }
      count += 1;
    });
    endBatch();
    return { lsns, recovery };
  }
}

function lastOf({ firstLsn, batches }: SegmentMap): Lsn {
  return firstLsn + batches.length - 1;
}

function appendOne(wal: WriteAheadLog): Lsn {
  const { buffer } = wal;
  const record = recordOf(wal.accepted + 1);
  buffer.reserve(record.length);
  buffer.bytes.set(record, buffer.length);
  buffer.length += record.length;
  buffer.endRecord();
  return wal.append();
}

/** What a trial appends: it follows from its number. */
function recordOf(lsn: Lsn): Uint8Array {
  const record = new Uint8Array(RECORD_BYTES).fill(lsn & 0xff);
  record[0] = RECORD_TYPE;
  return record;
}
