import { cases } from "../case.ts";

export const walCases = cases("wal", {});
