import { defineConfig } from 'vitest/config';

/** Browser tests share the machine with a chain and a Chromium each: one file after the other. */
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    fileParallelism: false,
    testTimeout: 90_000,
    hookTimeout: 120_000,
  },
});
