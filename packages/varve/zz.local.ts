import { backgroundBlocks } from "@varve/block-manager/background";
import { simDisk } from "@varve/disk/sim";
import { open, recommended } from "varve";
import { makeRandom } from "@varve/bytes";
const B = { blockDurationMs: 16, samplesPerChunk: 3, mergeFactor: 2, mergeLevels: 2 };
const plan = { ...recommended(), "block-manager": backgroundBlocks(B) };
const openOn = (disk: any) => open({ dir: "/data", disk, plan, memoryBytesMax: 16*2**20, maintainEveryMs: 0, closeDelayMs: 1e6, prefaultBytes: 0 });
const disk = simDisk({ seed: 1 });
const random = makeRandom(7);
const rows: any[] = [];
async function check(s: any, what: string) {
  const times: number[] = [];
  for await (const x of s.select({})) times.push(...x.times);
  times.sort((a,b)=>a-b);
  const want = rows.map(r=>r.time).sort((a,b)=>a-b);
  const missing = want.filter(t=>!times.includes(t)), extra = times.filter((t,i)=>times.indexOf(t)!==i);
  if (missing.length||extra.length) { for await (const x of s.select({})) console.log(x.labels, x.times.join(" ")); for (let i=0;i<4;i++) console.log(i, rows.filter(r=>r.series===i).map(r=>r.time).join(" ")); console.log(what, "missing", missing.join(","), "extra", extra.join(","), s.stats().blocks.blocks, s.recovery.samples, s.recovery.samplesSkipped); process.exit(1); }
}
for (let opening=0; opening<2; opening++) {
  const s = await openOn(disk);
  await check(s, "open "+opening);
  for (let round=0; round<12; round++) {
    const start=(opening*12+round)*8;
    for (let i=0;i<8;i++){ const r={series: random.below(4), time:start+i, value: random.unit()}; s.write({__name__:"m",series:String(r.series)}, r.time, r.value); rows.push(r); await check(s, `write ${opening} ${round} ${i}`); }
    if (round%3===0) await s.flush();
    if (round%2===1) { await s.maintain(1000); await check(s, `maintain ${opening} ${round}`); }
    if (round===5) { await s.compactLog(); await check(s, `compact ${opening} ${round}`); }
    if (round===9) { await s.cutBlocks({ before: start-16 }); await check(s, `cut ${opening} ${round}`); }
  }
  await s.close();
}
console.log("fine");
