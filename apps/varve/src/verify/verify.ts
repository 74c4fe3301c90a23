import { isStorageError } from "@varve/contracts";
import { FORMAT_VERSION } from "varve";
import { formatOf, storeDirOf } from "../store/place.ts";
import { checkBlocks } from "./blocks.ts";
import { checkLog } from "./log.ts";
import { checkSamples } from "./samples.ts";
import {
  placeReport,
  verdictOf,
  type Check,
  type PlaceReport,
  type VerifyReport,
} from "./report.ts";

/** Checks in their order: later ones build on the earlier. */
const CHECKS: readonly (readonly [place: PlaceReport["place"], check: Check])[] = [
  ["log", checkLog],
  ["blocks", checkBlocks],
  ["samples", checkSamples],
];

/** How to verify. */
export interface VerifyOptions {
  /** Ends it with an AbortError, or ABORTED. */
  readonly signal?: AbortSignal;
  /** Hears how far it is, often; the text is made only when it is called. */
  readonly onProgress?: (text: () => string) => void;
}

/**
 * Checks a data directory as far as bytes can tell, and changes nothing. May be done beside a live writer.
 *
 * Throws INPUT for a directory that is not ours. What keeps a place from being checked, permissions for one, makes
 * that place `unchecked`.
 */
export async function verify(path: string, options: VerifyOptions = {}): Promise<VerifyReport> {
  const { signal = new AbortController().signal, onProgress: tell = () => {} } = options;
  const dir = storeDirOf(path);
  const { version, storeId } = formatOf(dir);
  if (version !== FORMAT_VERSION) {
    const detail = `version ${version}; this release reads version ${FORMAT_VERSION}`;
    const places: PlaceReport[] = [{ place: "format", state: "unchecked", detail, findings: [] }];
    return { dir, verdict: "unknown", places };
  }
  const places = [placeReport("format", `version ${version}, store ${storeId}`, [])];
  for (const [place, check] of CHECKS) {
    places.push(await tried(place, () => check({ dir, storeId, signal, tell, before: places })));
  }
  return { dir, verdict: verdictOf(places), places };
}

async function tried(
  place: PlaceReport["place"],
  check: () => Promise<PlaceReport>,
): Promise<PlaceReport> {
  try {
    return await check();
  } catch (error) {
    if (!isStorageError(error) || error.code === "ABORTED") throw error;
    return { place, state: "unchecked", detail: error.message, findings: [] };
  }
}
