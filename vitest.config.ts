import { defineConfig } from 'vitest/config'

/** Tests read the sources of the other packages, so that they need no build. */
const source = (name: string) => ({
  find: `@postmark-smtp/${name}`,
  replacement: new URL(`./packages/${name}/src/index.ts`, import.meta.url).pathname,
})
const packages = ['core', 'nodemailer', 'sandbox', 'testing'].map(source)

/** One project per Nodemailer major; the tests named *.wire.test.ts run in each. */
const major = (version: 7 | 8 | 9) => ({
  resolve: { alias: [...packages, { find: /^nodemailer(?=\/|$)/, replacement: `nodemailer${version}` }] },
  test: { name: `nodemailer ${version}`, include: ['packages/*/src/**/*.wire.test.ts'] },
})

export default defineConfig({
  test: {
    projects: [
      {
        resolve: { alias: packages },
        test: { name: 'nodemailer 10', include: ['packages/*/src/**/*.test.ts', 'examples/*/*.test.ts'] },
      },
      major(9),
      major(8),
      major(7),
    ],
  },
})
