import type { Case } from "../case.ts";
import { postingsPromiseCases } from "./postings-promises.ts";

/** What postings promise. */
export const postingsCases: readonly Case<"postings">[] = [...postingsPromiseCases];
