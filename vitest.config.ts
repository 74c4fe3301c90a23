import { defineConfig } from "vitest/config";

/** Resolves `@varve/*` to the TypeScript sources, so that tests need no build. */
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
    pool: "forks",
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
});
