/**
 * The lock files of compat/apps, in one file: compat/locks.json has a line for each version of a package, with what npm
 * must know of it (above all its integrity), and where in which application it goes. The lock files that npm reads are
 * made of it, so the applications install what they did before; twenty of them would repeat most of it.
 *
 * After a change of an application's package.json:
 *   node compat/locks.mjs unpack express-5
 *   (cd compat/apps/express-5 && npm install --package-lock-only --no-audit --no-fund)
 *   node compat/locks.mjs pack
 */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const folder = fileURLToPath(new URL('apps/', import.meta.url))
const table = fileURLToPath(new URL('locks.json', import.meta.url))
const readJson = (path) => JSON.parse(readFileSync(path, 'utf8'))
const lockOf = (app) => join(folder, app, 'package-lock.json')
/** What an entry says of its place in an application, not of the package. */
const OF_PLACE = ['dev', 'optional', 'devOptional', 'peer']
/** What nobody reads here, and `resolved`, which would name a registry. */
const LEFT_OUT = ['license', 'funding', 'deprecated', 'resolved']

const nameAt = (path) => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)
const sortKeys = (object) => Object.fromEntries(Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1)))

/** A package.json as it begins a lock file. */
function readRootEntry(app) {
  const manifest = readJson(join(folder, app, 'package.json'))
  const fields = ['name', 'version', 'dependencies', 'devDependencies', 'optionalDependencies', 'engines']
  return Object.fromEntries(fields.filter((key) => key in manifest).map((key) => [key, manifest[key]]))
}

/** The lock file of an application. */
export function readLock(app) {
  const packages = {}
  for (const [id, { in: places, ...entry }] of Object.entries(readJson(table))) {
    const [, name, version] = /^(.+)@([^@]+)$/.exec(id)
    for (const [path, flags] of Object.entries(places[app] ?? {})) {
      const alias = nameAt(path) === name ? {} : { name }
      const place = Object.fromEntries(
        flags
          .split(' ')
          .filter(Boolean)
          .map((flag) => [flag, true]),
      )
      packages[path] = { ...alias, version, ...entry, ...place }
    }
  }
  const { name } = readRootEntry(app)
  return {
    name,
    lockfileVersion: 3,
    requires: true,
    packages: { '': readRootEntry(app), ...sortKeys(packages) },
  }
}

/** Replaces what the table has of an application by what its lock file says. */
function take(all, app) {
  for (const entry of Object.values(all)) delete entry.in[app]
  for (const [path, entry] of Object.entries(readJson(lockOf(app)).packages)) {
    if (path === '' || entry.extraneous) continue
    const { name = nameAt(path), version, ...others } = entry
    const kept = Object.entries(others).filter(([key]) => !OF_PLACE.includes(key) && !LEFT_OUT.includes(key))
    const id = `${name}@${version}`
    all[id] = { ...sortKeys(Object.fromEntries(kept)), in: all[id]?.in ?? {} }
    all[id].in[app] = { ...all[id].in[app], [path]: OF_PLACE.filter((flag) => entry[flag]).join(' ') }
  }
}

function writeTable(all) {
  const used = Object.entries(all).filter(([, entry]) => Object.keys(entry.in).length > 0)
  const lines = Object.entries(sortKeys(Object.fromEntries(used))).map(
    ([id, { in: places, ...entry }]) =>
      `${JSON.stringify(id)}: ${JSON.stringify({ ...entry, in: sortKeys(places) })}`,
  )
  writeFileSync(table, `{\n${lines.join(',\n')}\n}\n`)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [command, app] = process.argv.slice(2)
  if (command === 'unpack') writeFileSync(lockOf(app), `${JSON.stringify(readLock(app), null, 2)}\n`)
  else if (command === 'pack') {
    const all = existsSync(table) ? readJson(table) : {}
    for (const each of readdirSync(folder).filter((name) => existsSync(lockOf(name)))) {
      take(all, each)
      rmSync(lockOf(each))
    }
    writeTable(all)
  } else throw new Error('Usage: node compat/locks.mjs unpack <application>, or: node compat/locks.mjs pack')
}
