import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: [
      '{model,imaging,store,proto,migrations,database,engine,develop,edge-api,coordinator,runner,cli,bench,test}/**/*.test.ts',
      '*.test.ts',
    ],
    globalSetup: ['test/support/postgres-server.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Two processes at most: the native engine has threads of its own.
    maxWorkers: 2,
  },
});
