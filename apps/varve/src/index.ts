/** What `varve` does, for programs. */
export { main } from "./cli.ts";
export type { Finding, PlaceName, PlaceReport, VerifyReport } from "./verify/report.ts";
export { verify } from "./verify/verify.ts";
export type { VerifyOptions } from "./verify/verify.ts";
