import { writeFileSync } from "node:fs";
import { currentPage, PAGE } from "./files.ts";

writeFileSync(PAGE, currentPage());
console.log(`${PAGE} is written from bench/results`);
