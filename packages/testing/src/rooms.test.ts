import { readdirSync, readFileSync } from 'node:fs'
import { posix } from 'node:path'
import { describe, expect, it } from 'vitest'

/** A place is a room (a folder of src) or a file directly under src. */
type Order = Readonly<Record<string, readonly string[] | 'any'>>

/**
 * Which places each place may import besides itself, from the top down: a row names only places below it, so no two
 * can import each other. A source file directly under src needs a row.
 */
const ORDERS: Readonly<Record<string, Order>> = {
  core: {
    'index.ts': 'any',
    'pure.ts': 'any',
    'internal.ts': 'any',
    'internal-compile.ts': 'any',
    'augmentation.ts': 'any',
    'augmentation.cts': 'any',
    transport: ['delivery', 'smtp', 'compile', 'context', 'message', 'fields', 'problems', 'vocabulary'],
    delivery: ['smtp', 'message', 'problems', 'vocabulary'],
    smtp: ['problems', 'vocabulary'],
    compile: ['context', 'message', 'fields', 'problems', 'vocabulary'],
    context: ['fields', 'problems', 'vocabulary'],
    message: ['fields', 'problems', 'vocabulary'],
    fields: ['problems', 'vocabulary'],
    problems: ['vocabulary'],
    vocabulary: [],
  },
  sandbox: {
    'index.ts': 'any',
    'cli.ts': 'any',
    'faults.ts': 'any',
    'jest.ts': 'any',
    'vitest.ts': 'any',
    cli: ['sandbox.ts', 'smtp/faults', 'smtp', 'webhooks', 'server', 'mail'],
    'sandbox.ts': [
      'sandbox-options.ts',
      'keep-data.ts',
      'http',
      'http/page',
      'smtp/faults',
      'smtp',
      'match',
      'webhooks',
      'store',
      'server',
      'mail',
    ],
    'keep-data.ts': ['webhooks', 'store', 'server'],
    'sandbox-options.ts': ['smtp/faults', 'smtp', 'webhooks', 'server', 'mail'],
    http: ['http/control', 'http/api', 'smtp'],
    'http/control': ['http/api', 'smtp/faults', 'match', 'server', 'mail'],
    'http/api': ['webhooks', 'server', 'mail'],
    'http/page': ['checks', 'webhooks', 'server', 'mail'],
    checks: [],
    'smtp/faults': ['smtp'],
    smtp: ['server', 'mail'],
    match: ['server', 'mail'],
    webhooks: ['server', 'mail'],
    store: [],
    server: ['mail'],
    mail: [],
    // Only tests import it.
    testing: [],
  },
}

const src = (name: string): URL => new URL(`../../${name}/src/`, import.meta.url)

/** The sources of a package, tests left out, as paths from its src. */
function sourcesOf(name: string): string[] {
  return readdirSync(src(name), { recursive: true, encoding: 'utf8' })
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => /\.[cm]?ts$/.test(path) && !/\.test\.[cm]?ts$/.test(path))
    .sort()
}

function placeOf(path: string): string {
  const folder = posix.dirname(path)
  return folder === '.' ? path : folder
}

/** The files that a source imports by a relative path, as a value or a type. */
function importsOf(name: string, path: string): string[] {
  const text = readFileSync(new URL(path, src(name)), 'utf8')
  const relative = text.matchAll(/\b(?:from|import|require)\s*\(?\s*['"](\.{1,2}\/[^'"]+)['"]/g)
  return [...relative].map(([, specifier]) =>
    posix.join(posix.dirname(path), specifier!.replace(/\.([cm]?)js$/, '.$1ts')),
  )
}

describe.each(Object.entries(ORDERS))('the rooms of %s', (name, order) => {
  const sources = sourcesOf(name)

  it('are listed from the top down', () => {
    const places = Object.keys(order)
    const upwards = places.flatMap((place, index) => {
      const below = order[place]!
      return below === 'any' ? [] : below.filter((other) => places.indexOf(other) <= index)
    })
    expect(upwards).toEqual([])
  })

  it('are all there is: no source file is elsewhere', () => {
    expect(new Set(sources.map(placeOf))).toEqual(new Set(Object.keys(order)))
  })

  it('import only along the order', () => {
    const against = sources.flatMap((path) => {
      const place = placeOf(path)
      const row = order[place] ?? []
      const allowed = row === 'any' ? Object.keys(order) : [place, ...row]
      return importsOf(name, path)
        .filter((target) => !allowed.includes(placeOf(target)))
        .map((target) => `${path} imports ${target}`)
    })
    expect(against).toEqual([])
  })

  it('have no index.ts', () => {
    expect(sources.filter((path) => path.includes('/') && /\/index\.[cm]?ts$/.test(path))).toEqual([])
  })
})
