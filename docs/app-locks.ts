import { readFileSync } from 'node:fs'

const root = new URL('../', import.meta.url)

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
}
/** compat/locks.json: each version of a package, with where in which application it goes. */
type Locks = Readonly<
  Record<string, { readonly in: Readonly<Record<string, Readonly<Record<string, string>>>> }>
>

const locks: Locks = JSON.parse(readFileSync(new URL('compat/locks.json', root), 'utf8'))

/** The versions that an application of compat/apps is locked to, by their place, such as `node_modules/express`. */
export function lockedVersions(app: string): ReadonlyMap<string, string> {
  const entries = Object.entries(locks).flatMap(([id, { in: places }]) =>
    Object.keys(places[app] ?? {}).map((path): [string, string] => [path, id.slice(id.lastIndexOf('@') + 1)]),
  )
  return new Map(entries)
}

/** The package.json of an application of compat/apps. */
export function readApp(app: string): Manifest {
  return JSON.parse(readFileSync(new URL(`compat/apps/${app}/package.json`, root), 'utf8'))
}
