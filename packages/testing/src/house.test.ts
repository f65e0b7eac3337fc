import { readdirSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

type Dependencies = Readonly<Record<string, string>>
interface Manifest {
  readonly name: string
  readonly version?: string
  readonly private?: boolean
  readonly files?: readonly string[]
  readonly scripts?: Readonly<Record<string, string>>
  readonly dependencies?: Dependencies
  readonly peerDependencies?: Dependencies
  readonly optionalDependencies?: Dependencies
  readonly devDependencies?: Dependencies
}

/** Which of our packages a package may import at run time; its tests may use `testing` as well. */
const ARROWS: Readonly<Record<string, readonly string[]>> = {
  core: [],
  webhooks: ['core'],
  redis: ['core'],
  bullmq: ['core', 'webhooks'],
  sandbox: ['core'],
  nodemailer: ['core'],
  express: ['core', 'webhooks'],
  fastify: ['core', 'webhooks'],
  hono: ['core', 'webhooks'],
  opentelemetry: ['core'],
  doctor: ['core', 'webhooks'],
  nestjs: ['core', 'webhooks'],
}
/** What the tests of a package may use besides `testing`. */
const FOR_TESTS: Readonly<Record<string, readonly string[]>> = {
  nodemailer: ['sandbox'],
  express: ['sandbox'],
  opentelemetry: ['sandbox', 'bullmq', 'redis', 'webhooks', 'express', 'fastify', 'hono', 'nestjs'],
  doctor: ['sandbox'],
  nestjs: ['sandbox'],
  webhooks: ['sandbox'],
  redis: ['sandbox', 'webhooks'],
  bullmq: ['sandbox', 'redis'],
}

const root = new URL('../../../', import.meta.url)
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8')
const readManifest = (folder: string): Manifest => JSON.parse(read(`packages/${folder}/package.json`))
const ours = (dependencies: Dependencies = {}): string[] =>
  Object.keys(dependencies)
    .filter((name) => name.startsWith('@postmark-smtp/'))
    .map((name) => name.replace('@postmark-smtp/', ''))

/** The files of a package without its tests. */
const sourcesOf = (folder: string): string[] =>
  readdirSync(new URL(`packages/${folder}/src/`, root), { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.c?ts$/.test(file) && !file.endsWith('.test.ts'))
    .map((file) => `packages/${folder}/src/${file}`)

const folders = readdirSync(new URL('packages/', root))
const published = folders.filter((folder) => !readManifest(folder).private)

it.each(published)('%s depends on our other packages along the arrows only', (folder) => {
  const { dependencies, peerDependencies, optionalDependencies, devDependencies } = readManifest(folder)
  const allowed = ARROWS[folder]
  expect(allowed, `${folder} has no row in the table of arrows`).toBeDefined()
  expect(allowed).toEqual(
    expect.arrayContaining(ours({ ...dependencies, ...peerDependencies, ...optionalDependencies })),
  )
  const forTests = FOR_TESTS[folder] ?? []
  expect([...allowed!, 'testing', ...forTests]).toEqual(expect.arrayContaining(ours(devDependencies)))
})

it.each(published)(
  '%s asks for the exact version of each package whose internal subpath it imports',
  (folder) => {
    const { dependencies = {}, peerDependencies = {} } = readManifest(folder)
    const imported = sourcesOf(folder).flatMap((path) =>
      [...read(path).matchAll(/from '@postmark-smtp\/([\w-]+)\/internal'/g)].map(([, name]) => name!),
    )
    for (const name of new Set(imported)) {
      const range = { ...dependencies, ...peerDependencies }[`@postmark-smtp/${name}`]
      expect(range, `the range for ${name}`).toBe(readManifest(name).version)
    }
  },
)

it('testing depends on no package of ours, so that each may use it', () => {
  const { dependencies, devDependencies } = readManifest('testing')
  expect(ours({ ...dependencies, ...devDependencies })).toEqual([])
})

it.each(published)(
  '%s is checked before it is published, names its files and carries the license',
  (folder) => {
    expect(readManifest(folder).files).toEqual(['dist', 'README.md', 'LICENSE'])
    expect(readManifest(folder).scripts?.['check:package']).toBe(
      readManifest('core').scripts?.['check:package'],
    )
    expect(read(`packages/${folder}/LICENSE`)).toBe(read('LICENSE'))
  },
)

it('the README of the repository has at most 700 words', () => {
  expect(
    readFileSync(new URL('../../../README.md', import.meta.url), 'utf8').split(/\s+/).length,
  ).toBeLessThanOrEqual(700)
})

it.each(folders)('%s has a README of at most 70 lines', (folder) => {
  expect(read(`packages/${folder}/README.md`).trimEnd().split('\n').length).toBeLessThanOrEqual(70)
})

/** What a source imports when it runs; types are gone by then. */
function importsOf(path: string): string[] {
  const text = read(path).replace(/^(import|export) type [^'"]*from '[^']+'/gm, '')
  const names = text.matchAll(/^(?:(?:import|export|\})[^'"\n]*from |import |.*\bimport\()'([^']+)'/gm)
  return [...names].map(([, name]) => name!)
}

/** Packages that are not ours which a source needs when it runs, with all that it imports. */
function needs(path: string, seen = new Set<string>()): string[] {
  if (seen.has(path)) return []
  seen.add(path)
  return importsOf(path).flatMap((name) => {
    if (name.startsWith('.'))
      return needs(new URL(name, `file:///${path}`).pathname.slice(1).replace(/\.js$/, '.ts'), seen)
    const [, folder, file = 'index'] = /^@postmark-smtp\/(\w+)(?:\/([\w-]+))?$/.exec(name) ?? []
    return folder === undefined ? [name] : needs(`packages/${folder}/src/${file}.ts`, seen)
  })
}

it.each([
  'packages/core/src/pure.ts',
  'packages/core/src/internal.ts',
  'packages/webhooks/src/index.ts',
  'packages/redis/src/index.ts',
  'packages/express/src/index.ts',
  'packages/fastify/src/index.ts',
  'packages/hono/src/index.ts',
])('%s runs where Nodemailer is not installed', (path) => {
  expect(needs(path).filter((name) => !name.startsWith('node:') && name !== 'fastify-plugin')).toEqual([])
  expect(needs('packages/core/src/index.ts')).toContain('nodemailer')
})

it('names of Postmark headers stand in the vocabulary alone', () => {
  const sources = published.flatMap(sourcesOf)
  const literal = /['"`]X-PM-/i
  expect(sources.filter((path) => literal.test(read(path)))).toEqual([
    'packages/core/src/vocabulary/vocabulary.ts',
  ])
})

it('the lock file pins no registry', () => {
  expect(read('package-lock.json')).not.toMatch(/"resolved": "(?!packages\/|examples\/)/)
})
