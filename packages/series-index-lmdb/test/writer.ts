import { numbered, World } from "./world.ts";

/** Inserts for ever, a hundred series a transaction, and says a line after each one that is durable. */
const world = new World({ dir: process.argv[2]! });
const { index } = await world.reopen({ batchRowsMax: 20 });
for (let start = 0; ; start += 100) {
  world.insert(index, numbered("killed", start, 100));
  await index.commit(start);
  process.stdout.write(`${start}\n`);
}
