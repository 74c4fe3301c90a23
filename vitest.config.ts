import { defineConfig } from "vitest/config";

/** Resolves `@varve/*` to the TypeScript sources, so that tests need no build but that of kernels. */
const SOURCE_CONDITION = "@varve/source";

export default defineConfig({
  resolve: { conditions: [SOURCE_CONDITION, "module", "node"] },
  ssr: { resolve: { conditions: [SOURCE_CONDITION, "module", "node"] } },
  test: {
    include: [
      "packages/*/test/**/*.test.ts",
      "apps/*/test/**/*.test.ts",
      "bench/test/**/*.test.ts",
      "examples/*/test/**/*.test.ts",
      "scripts/test/**/*.test.ts",
    ],
    globalSetup: "scripts/kernels.ts",
    pool: "forks",
    // Threads that come and go, each compiling Node's type stripper, meet a race in V8's map of protected code pages on
    // processors with protection keys: "Check failed: jit_page.has_value()" (nodejs/node#64500). Built code strips nothing.
    execArgv: ["--no-memory-protection-keys"],
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
});
