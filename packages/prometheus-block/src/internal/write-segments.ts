import { assert, type Disk } from "@varve/contracts";
import { copyBytes, crc32c, uvarintBytes, writeU32, writeUvarint } from "@varve/bytes";
import {
  CHUNKS_MAGIC,
  CHUNKS_VERSION,
  CRC_BYTES,
  SEGMENT_HEADER_BYTES,
  SEGMENT_STEP,
  segmentName,
} from "./layout.ts";
import { OUTPUT_BUFFER_BYTES, OutputFile } from "./write-output.ts";

/** What Prometheus counts for a chunk around its data: the longest length, encoding and checksum. */
const FRAME_BYTES_MAX = 5 + 1 + CRC_BYTES;

/** The chunk segments of a block. */
export class SegmentWriter {
  bytes = 0;
  readonly #disk: Disk;
  readonly #dir: string;
  readonly #bytesMax: number;
  readonly #files: OutputFile[] = [];
  /** Where the segment would end if all chunks of this series had the longest frame. */
  #estimate = 0;

  constructor(disk: Disk, dir: string, bytesMax: number) {
    assert(
      bytesMax > SEGMENT_HEADER_BYTES && bytesMax < SEGMENT_STEP,
      `a chunk segment ends below 4 GiB, got ${bytesMax}`,
    );
    this.#disk = disk;
    this.#dir = dir;
    this.#bytesMax = bytesMax;
  }

  /** The chunks that follow are those of another series. */
  beginSeries(): void {
    this.#estimate = this.#files.at(-1)?.position ?? SEGMENT_HEADER_BYTES;
  }

  /** Writes a chunk and returns its reference. A chunk larger than a segment has one to itself. */
  add(encoding: number, bytes: Uint8Array, from: number, until: number): number {
    const length = until - from;
    const file = this.#fileFor(length);
    const lengthBytes = uvarintBytes(length);
    file.reserve(lengthBytes + 1 + length + CRC_BYTES);
    const ref = (this.#files.length - 1) * SEGMENT_STEP + file.position;
    const { buffer } = file;
    const encodingAt = writeUvarint(buffer, file.at, length);
    buffer[encodingAt] = encoding;
    const end = copyBytes(bytes, from, until, buffer, encodingAt + 1);
    writeU32(buffer, end, crc32c(buffer, encodingAt, end));
    file.at = end + CRC_BYTES;
    this.bytes += lengthBytes + 1 + length + CRC_BYTES;
    return ref;
  }

  /** Makes all segments durable and closes them. */
  async finish(): Promise<void> {
    for (const file of this.#files) await file.finish();
  }

  /** Closes all segments as they are. */
  close(): void {
    for (const file of this.#files) file.close();
  }

  /** Rolls where Prometheus does: by the longest frames since the series began. */
  #fileFor(length: number): OutputFile {
    const frame = FRAME_BYTES_MAX + length;
    const current = this.#files.at(-1);
    this.#estimate += frame;
    if (current === undefined) return this.#open(undefined);
    const isEmpty = current.position === SEGMENT_HEADER_BYTES;
    if (isEmpty || this.#estimate <= this.#bytesMax) return current;
    this.#estimate = SEGMENT_HEADER_BYTES + frame;
    return this.#open(current);
  }

  #open(previous: OutputFile | undefined): OutputFile {
    previous?.flush();
    const path = `${this.#dir}/${segmentName(this.#files.length)}`;
    const buffer = previous?.buffer ?? new Uint8Array(OUTPUT_BUFFER_BYTES);
    const file = new OutputFile(this.#disk, path, buffer);
    this.#files.push(file);
    file.putU32(CHUNKS_MAGIC);
    file.putU32(CHUNKS_VERSION << 24);
    this.bytes += SEGMENT_HEADER_BYTES;
    return file;
  }
}
