import { certify, checked } from "@varve/conformance";
import { test } from "vitest";
import { eagerPostings } from "../src/eager.ts";

certify(eagerPostings(), { test });
certify(checked(eagerPostings()), { test });
