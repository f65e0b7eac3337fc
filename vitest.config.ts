import { defineConfig } from 'vitest/config'

/** `npm run soak`: the same tests with whole sizes, so they may take their time. */
const soak = process.env.POSTMARK_SMTP_SOAK === '1'
const testTimeout = soak ? 600_000 : 180_000

const path = (file: string) => new URL(file, import.meta.url).pathname

/** Tests read the sources of the other packages, so that they need no build. */
const source = (name: string) => ({
  find: new RegExp(`^@postmark-smtp/${name}$`),
  replacement: path(`./packages/${name}/src/index.ts`),
})
/** A subpath of a package: the file of its name. */
const subpath = { find: /^@postmark-smtp\/(\w+)\/([\w-]+)$/, replacement: path('./packages/$1/src/$2.ts') }
const packages = [
  ...['bullmq', 'core', 'express', 'nestjs', 'nodemailer', 'redis', 'sandbox', 'testing', 'webhooks'].map(
    source,
  ),
  subpath,
]

/** One project per Nodemailer major; the tests named *.wire.test.ts run in each. */
const major = (version: 7 | 8 | 9) => ({
  resolve: { alias: [...packages, { find: /^nodemailer(?=\/|$)/, replacement: `nodemailer${version}` }] },
  test: { name: `nodemailer ${version}`, include: ['packages/*/src/**/*.wire.test.ts'], testTimeout },
})

/** Nest 11, which `packages/nest-11` holds beside the Nest 12 of the root. */
const nest11 = {
  resolve: {
    alias: [
      ...packages,
      {
        find: /^(@nestjs\/(?!bullmq)\w.*|nestjs-cls)$/,
        replacement: path('./packages/nest-11/node_modules/$1'),
      },
    ],
  },
  test: {
    name: 'nest 11',
    include: ['packages/nestjs/src/**/*.test.ts', 'packages/bullmq/src/postmark-queue.module.test.ts'],
    env: { NEST: '11' },
    testTimeout,
  },
}

/** BullMQ 5, beside the BullMQ 6 of the root. */
const bullmq5 = {
  resolve: { alias: [...packages, { find: /^bullmq$/, replacement: 'bullmq5' }] },
  test: {
    name: 'bullmq 5',
    include: ['packages/bullmq/src/**/*.test.ts'],
    env: { BULLMQ: 'bullmq5' },
    testTimeout,
  },
}

export default defineConfig({
  test: {
    // Most tests wait for a server: six at a time keep two cores busy.
    maxWorkers: 6,
    reporters: ['default', ['json', { outputFile: `.results/${soak ? 'soak' : 'test'}.json` }]],
    projects: [
      {
        resolve: { alias: packages },
        test: {
          name: 'nodemailer 10',
          include: ['packages/*/src/**/*.test.ts', 'examples/*/*.test.ts', 'docs/*.test.ts'],
          testTimeout,
        },
      },
      major(9),
      major(8),
      major(7),
      nest11,
      bullmq5,
    ],
  },
})
