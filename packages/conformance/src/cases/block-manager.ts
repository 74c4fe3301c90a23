import { cases } from "../case.ts";

export const blockManagerCases = cases("block-manager", {});
