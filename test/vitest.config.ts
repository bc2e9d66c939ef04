// One config, a project for each kind of test: unit and platform are pure or talk to loopback, lab needs root.

import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

/** Against hanging only, in ms: a test says nothing of how long it takes, and a busy machine takes ten times as long as an idle one. */
const hangsMs = 300_000

export default defineConfig({
  test: {
    expect: { requireAssertions: true, poll: { timeout: 60_000 } },
    restoreMocks: true,
    unstubEnvs: true,
    allowOnly: process.env['CI'] === undefined,
    // Stories wait for processes and devices half of their time.
    maxWorkers: availableParallelism() + 1,
    testTimeout: hangsMs,
    hookTimeout: hangsMs,
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts'],
          pool: 'threads',
          isolate: false,
        },
      },
      {
        extends: true,
        test: {
          name: 'platform',
          include: ['test/platform/**/*.test.ts'],
          pool: 'forks',
          isolate: false,
        },
      },
      {
        extends: true,
        test: {
          name: 'property',
          include: ['test/property/**/*.test.ts'],
          pool: 'forks',
          isolate: false,
          testTimeout: 600_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'store',
          include: ['test/store/**/*.test.ts'],
          pool: 'forks',
          isolate: false,
        },
      },
      {
        extends: true,
        test: {
          name: 'simulator',
          include: ['test/simulator/**/*.test.ts'],
          pool: 'forks',
          isolate: false,
        },
      },
      {
        extends: true,
        test: {
          name: 'load',
          include: ['test/load/**/*.test.ts'],
          pool: 'forks',
        },
      },
      {
        extends: true,
        test: {
          name: 'lab',
          include: ['test/lab/**/*.test.ts'],
          globalSetup: ['test/lab/setup.ts'],
          pool: 'forks',
          maxWorkers: 1,
        },
      },
    ],
  },
})
