import { certify, checked } from "@varve/conformance";
import { test } from "vitest";
import { lazyPostings } from "../src/lazy.ts";

certify(lazyPostings(), { test });
certify(checked(lazyPostings()), { test });
