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
    // npm run coverage: of what the test processes run themselves; what they start (the built program) is not seen.
    coverage: {
      provider: 'v8',
      include: [
        '{model,imaging,store,proto,migrations,database,engine,develop,edge-api,coordinator,runner,cli,bench}/**/*.ts',
      ],
      exclude: ['**/*.test.ts', '**/*.fixture.ts', 'proto/types/**', 'edge-api/page/browser/**'],
      reportsDirectory: 'build/coverage',
      reporter: ['text-summary', 'html'],
    },
  },
});
