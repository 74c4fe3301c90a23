import type { Case } from "../case.ts";
import { postingsDropCases } from "./postings-drop.ts";
import { postingsModelCases } from "./postings-model.ts";
import { postingsPromiseCases } from "./postings-promises.ts";

/** What postings promise. */
export const postingsCases: readonly Case<"postings">[] = [
  ...postingsPromiseCases,
  ...postingsDropCases,
  ...postingsModelCases,
];
