import { cases } from "../case.ts";

export const locksCases = cases("locks", {});
