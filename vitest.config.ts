import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** `npm run soak`: the tests named *.soak.test.ts, which may take their time, and the versions that `npm test` leaves out. */
const soak = process.env.POSTMARK_SMTP_SOAK !== undefined
/**
 * The test files of a worker share its process and its modules: starting one for each file costs as much as the tests.
 * What runs in the soak, and the documents and examples, which are programs of their own, have one each.
 */
const common = { testTimeout: soak ? 600_000 : 180_000, isolate: soak }

/** What `npm test` runs of the soak too, at a small size: nothing else reaches some of the code that it reaches. */
const SHORT = 'packages/*/src/**/{chunking,real-servers,injection}.soak{,.wire}.test.ts'

const path = (file: string) => fileURLToPath(new URL(file, import.meta.url)).replaceAll('\\', '/')

/** Tests read the sources of the other packages, so that they need no build. */
const source = (name: string) => ({
  find: new RegExp(`^@postmark-smtp/${name}$`),
  replacement: path(`./packages/${name}/src/index.ts`),
})
/** A subpath of a package: the file of its name. */
const subpath = { find: /^@postmark-smtp\/(\w+)\/([\w-]+)$/, replacement: path('./packages/$1/src/$2.ts') }
const packages = [
  ...[
    'bullmq',
    'core',
    'doctor',
    'express',
    'fastify',
    'hono',
    'nestjs',
    'nodemailer',
    'opentelemetry',
    'redis',
    'sandbox',
    'testing',
    'webhooks',
  ].map(source),
  subpath,
]

/**
 * One project per Nodemailer major; the tests named *.wire.test.ts run in each. `npm test` takes the newest one, and
 * leaves the others to the soak.
 */
const major = (version: 7 | 8 | 9) => ({
  resolve: { alias: [...packages, { find: /^nodemailer(?=\/|$)/, replacement: `nodemailer${version}` }] },
  test: {
    name: `nodemailer ${version}`,
    include: ['packages/*/src/**/*.wire.test.ts'],
    ...common,
  },
})

/** In the soak: Nest 11, which `packages/nest-11` holds next to the Nest 12 of the root. */
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
    ...common,
  },
}

/** In the soak: BullMQ 5, next to the BullMQ 6 of the root. */
const bullmq5 = {
  resolve: { alias: [...packages, { find: /^bullmq$/, replacement: 'bullmq5' }] },
  test: {
    name: 'bullmq 5',
    include: ['packages/bullmq/src/**/*.test.ts'],
    env: { BULLMQ: 'bullmq5' },
    ...common,
  },
}

/** What the documents and the examples say. */
const documents = {
  resolve: { alias: packages },
  test: {
    name: 'documents',
    include: soak
      ? ['examples/*/*.soak.test.ts', 'docs/*.soak.test.ts']
      : ['examples/*/!(*.soak).test.ts', 'docs/!(*.soak).test.ts'],
    ...common,
    isolate: true,
  },
}

/** What takes long begins first, so that no core waits for it at the end. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    const isLong = ({ moduleId }: TestSpecification) =>
      /\/(histories|batch-resume|fault-matrix|in-browser|other-languages|real-servers|message-shapes|memory)\./.test(
        moduleId,
      )
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))]
  }
}

export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    // Most tests wait for a server: six at a time keep two cores busy.
    maxWorkers: 6,
    // The gate measures it, of what is published. The floor only rises.
    coverage: {
      include: ['packages/*/src/**/*.ts'],
      exclude: ['**/*.test.ts', 'packages/{bench,fault-matrix,nest-11,testing}/**'],
      reporter: ['text-summary'],
      thresholds: { statements: 97, branches: 94, functions: 98, lines: 98 },
    },
    reporters: ['default', ['json', { outputFile: `.results/${soak ? 'soak' : 'test'}.json` }]],
    projects: [
      {
        resolve: { alias: packages },
        test: {
          name: 'nodemailer 10',
          include: soak
            ? ['packages/*/src/**/*.soak{,.wire}.test.ts']
            : ['packages/*/src/**/!(*.soak|*.soak.wire).test.ts', SHORT],
          ...common,
        },
      },
      documents,
      ...(soak ? [major(7), major(8), major(9), nest11, bullmq5] : []),
    ],
  },
})
