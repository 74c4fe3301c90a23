import { expect, test } from "vitest";
import { exampleOf } from "../readme-example.ts";

test("the example of a page is its first block fenced as ts or js", () => {
  const page = "# x\n\n```sh\nnpm i x\n```\n\n```js\nlet a;\n```\n\n```ts\nlet b;\n```\n";
  expect(exampleOf(page)).toEqual({ language: "js", code: "let a;\n" });
});

test("a page without such a block has no example", () => {
  expect(exampleOf("# x\n\n```json\n{}\n```\n")).toBeUndefined();
});
