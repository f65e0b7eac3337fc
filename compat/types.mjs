/**
 * Compiles and runs applications against the packed tarballs, as users install them: Nodemailer 7 to 10, ESM and
 * CommonJS, TypeScript 5.8 and 7, with skipLibCheck off. The tests of the packages read sources, with one compiler:
 * only this sees what npm packs, and how each module resolution reads our augmentation of Nodemailer's types.
 * Usage: node compat/types.mjs [--all] [regular expression for the titles]
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { attempt, inPairs, pack, report, root, run, temporary } from './harness.mjs'

const { values, positionals } = parseArgs({ options: { all: { type: 'boolean' } }, allowPositionals: true })
const wanted = new RegExp(positionals[0] ?? '')

const MAJORS = {
  7: { nodemailer: '^7.0.13', '@types/nodemailer': '^7.0.12' },
  8: { nodemailer: '^8.0.11', '@types/nodemailer': '^8.0.2' },
  9: { nodemailer: '^9.1.1', '@types/nodemailer': '^8.0.2' },
  10: { nodemailer: '^10.6.0' },
}
const COMPILERS = {
  5.8: join(temporary, 'typescript/node_modules/typescript/bin/tsc'),
  7: join(root, 'node_modules/typescript/bin/tsc'),
}
/** Nodemailer 10 needs `types` here, and `esModuleInterop` below: docs/quirks.md. */
const common = { target: 'ES2022', lib: ['ES2022'], strict: true, skipLibCheck: false, types: ['node'] }
const nodenext = { ...common, module: 'nodenext' }
const commonjs = { ...common, module: 'commonjs', esModuleInterop: true }
const bundler = { ...common, module: 'esnext', moduleResolution: 'bundler', lib: ['ES2022', 'DOM'] }
const exact = { exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true, verbatimModuleSyntax: true }
/** Compiler options, the compilers of the full run, those of the quick one. */
const KINDS = {
  'esm nodenext': [nodenext, ['5.8', '7'], ['5.8', '7']],
  'esm nodenext exact': [{ ...nodenext, ...exact }, ['5.8', '7'], []],
  'esm bundler': [bundler, ['5.8', '7'], ['7']],
  'cjs nodenext': [nodenext, ['5.8', '7'], []],
  'cjs nodenext require': [nodenext, ['5.8', '7'], ['7']],
  'cjs preserve require': [{ ...common, module: 'preserve' }, ['5.8', '7'], []],
  'cjs commonjs node10': [{ ...commonjs, moduleResolution: 'node10' }, ['5.8'], ['5.8']],
  'cjs commonjs bundler': [{ ...commonjs, moduleResolution: 'bundler' }, ['7'], []],
}
const cells = Object.keys(MAJORS)
  .flatMap((major) => Object.keys(KINDS).map((kind) => ({ major, kind })))
  .flatMap((cell) => KINDS[cell.kind][1].map((compiler) => ({ ...cell, compiler })))
  .flatMap((cell) => ['core', 'plugin'].map((consumer) => ({ ...cell, consumer })))
  .filter(({ kind, compiler, consumer }) => values.all || isQuick(KINDS[kind][2], compiler, consumer))
  .map((cell) => ({ ...cell, title: toTitle(cell) }))
  .filter(({ title }) => wanted.test(title))

function toTitle({ major, kind, compiler, consumer }) {
  return `nodemailer ${major}, ${kind}, TypeScript ${compiler}, ${consumer}`
}

/** TypeScript 5.8 takes five times as long as 7, so the quick run gives it one of the two consumers. */
function isQuick(compilers, compiler, consumer) {
  return compilers.includes(compiler) && (compiler === '7' || consumer === 'core')
}

async function install([folder, dependencies]) {
  const cwd = join(temporary, folder)
  mkdirSync(cwd)
  writeFileSync(join(cwd, 'package.json'), JSON.stringify({ private: true, dependencies }))
  await run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', '--no-package-lock'], { cwd })
}

/**
 * A consumer's text as its kind spells it: @types/nodemailer wants `/index.js` in ESM and nodemailer 10 none in
 * CommonJS, and a typed `require` has a syntax of its own.
 */
function toSource(text, kind) {
  if (kind.startsWith('esm')) return text
  const source = text.replace('/mailer/index.js', '/mailer')
  if (!kind.endsWith('require')) return source
  const required = (_, names, from, at) => `import m${at} = require(${from})\nconst ${names} = m${at}`
  return source.replace(/^import (\{.*\}) from ('.*')$/gm, required).replace(/^export /gm, '')
}

/** Compiles a consumer in a folder of its own, then runs it. */
async function check({ title, major, kind, compiler, consumer }) {
  const cwd = join(temporary, major, title.replace(/\W+/g, '-'))
  const write = (file, content) => writeFileSync(join(cwd, file), content)
  const text = readFileSync(join(root, `compat/types/${consumer}.ts`), 'utf8')
  const compilerOptions = { ...KINDS[kind][0], rootDir: '.', outDir: 'out' }
  mkdirSync(cwd)
  write('package.json', JSON.stringify({ type: kind.startsWith('esm') ? 'module' : 'commonjs' }))
  write('tsconfig.json', JSON.stringify({ compilerOptions, files: ['main.ts'] }))
  write('main.ts', toSource(text, kind))
  await run(process.execPath, [COMPILERS[compiler]], { cwd })
  const { stdout } = await run(process.execPath, ['out/main.js'], { cwd, timeout: 30_000 })
  if (stdout !== 'wire ok\n') throw new Error(`The program printed: ${stdout}`)
}

const packages = ['core', 'nodemailer', 'sandbox']
const tarballs = await Promise.all(packages.map(async (name) => [`@postmark-smtp/${name}`, await pack(name)]))
const both = { ...Object.fromEntries(tarballs), '@types/node': '^20.19.43' }
const consumers = Object.entries(MAJORS).map(([major, theirs]) => [major, { ...both, ...theirs }])
await inPairs([['typescript', { typescript: '~5.8.3' }], ...consumers], install)

const results = []
await inPairs(cells, async (cell) => {
  results.push(await attempt(cell.title, () => check(cell)))
})
report('compat-types', results)
