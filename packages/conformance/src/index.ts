/** The promises of every slot as runnable cases, and decorators that assert them on every call. */
export type { Case, DiskKind } from "./case.ts";
export { casesOf } from "./cases-of.ts";
export {
  certify,
  runCases,
  type CaseResult,
  type CertifyOptions,
  type TestFunction,
} from "./certify.ts";
export { checked } from "./checked.ts";
export { CaseFailure } from "./expect.ts";
export {
  constantHash,
  plainHash,
  PUBLISHED_HASH,
  PUBLISHED_PAIR,
  publishedPairHash,
} from "./hashing.ts";
export { needsFor, STORE_ID, type Needs, type NeedsOptions } from "./needs.ts";
export { Trial, type TrialOptions } from "./trial.ts";
