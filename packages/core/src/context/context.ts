import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks'
import type { Level } from '../fields/merge-fields.js'
import { foldLevels, toFields } from '../fields/merge-fields.js'
import type { Reading } from '../fields/read-fields.js'
import { readFields } from '../fields/read-fields.js'
import type { PostmarkProblem } from '../problems/problem.js'
import type { ParsedPostmarkFields, PostmarkFields } from '../vocabulary/vocabulary.js'

/** Fields of a scope, or a function that is called once per mail, when the mail is sent. */
export type ScopeFields = PostmarkFields | (() => PostmarkFields | null | undefined)

/** One open scope. Only `updatePostmark` changes it, by putting new values in place of the old. */
interface Scope {
  readonly parent: Scope | undefined
  readonly read: () => Reading
  updates: ParsedPostmarkFields
  updateProblems: readonly PostmarkProblem[]
  clearsMetadata: boolean
  /** Whether it only carries fields, and nobody opened it: see {@link runUnscoped}. */
  readonly isImplied?: boolean
}

/** A level of the context as a mail sees it. */
export interface ContextLevel extends Level<ParsedPostmarkFields> {
  readonly problems: readonly PostmarkProblem[]
  /** Which scope, counted from the innermost, which is 0. */
  readonly scope: number
  /** Whether its scope was opened by nobody. */
  readonly isImplied?: boolean | undefined
}

/** What all installed copies of this package share in one process. */
interface Shared {
  readonly storage: AsyncLocalStorage<Scope | undefined>
  /** Transporters and transports that some copy is attached to, and the plugins by which it is. */
  readonly claimed: WeakSet<object>
}

const KEY = Symbol.for('@postmark-smtp/core/1')

const holder = globalThis as { [KEY]?: Shared }
holder[KEY] ??= { storage: new AsyncLocalStorage(), claimed: new WeakSet() }
const shared: Shared = holder[KEY]

/** Whether a transporter, or a transport, is seen for the first time: attaching twice equals once. */
export function claim(subject: object): boolean {
  if (shared.claimed.has(subject)) return false
  shared.claimed.add(subject)
  return true
}

/** Whether some copy of this package is attached to a transporter, or made a plugin. */
export function isClaimed(subject: object): boolean {
  return shared.claimed.has(subject)
}

/** Settings of {@link runWithPostmark}. */
export interface RunWithPostmarkOptions {
  /** Whether outer scopes count too. Default true; false starts clean, as a job must. */
  readonly inherit?: boolean
}

/**
 * Runs a function in a scope: each mail sent below it, also later and asynchronously, carries the fields.
 * Scopes nest, the innermost wins. Fields that break a limit are fitted when a mail is sent, never thrown here.
 * @example await runWithPostmark({ tag: 'signup', metadata: { 'user-id': user.id } }, () => register(user))
 * @returns what the function returned
 */
export function runWithPostmark<R>(
  fields: ScopeFields,
  fn: () => R,
  options: RunWithPostmarkOptions = {},
): R {
  const parent = options.inherit === false ? undefined : shared.storage.getStore()
  const read =
    typeof fields === 'function' ? () => callContext(fields, parent) : always(readFields(fields, 'context'))
  return shared.storage.run(openScope(parent, read), fn)
}

/**
 * Keeps the scope that is open here, for code that is called back outside it: the result runs a function in that
 * scope, or where it is called if that scope, or one below it, is open there. No other AsyncLocalStorage is touched.
 * @example const reenter = capturePostmark(); stream.on('end', () => reenter(() => sendReport()))
 */
export function capturePostmark(): <R>(fn: () => R) => R {
  const captured = shared.storage.getStore()
  return (fn) => {
    for (let scope = shared.storage.getStore(); scope; scope = scope.parent)
      if (scope === captured) return fn()
    return shared.storage.run(captured, fn)
  }
}

/**
 * Gives the mails below a function fields of their own, and no scope that the option `requireScope` would accept: for a
 * job that was made outside of any scope. No other AsyncLocalStorage is touched.
 */
export function runUnscoped<R>(fields: PostmarkFields, fn: () => R): R {
  return shared.storage.run(openScope(undefined, always(readFields(fields, 'context')), true), fn)
}

function openScope(parent: Scope | undefined, read: Scope['read'], isImplied = false): Scope {
  return { parent, read, updates: {}, updateProblems: [], clearsMetadata: false, isImplied }
}

/**
 * Makes a callback run in the scope, and in every other AsyncLocalStorage, that is open here. By `AsyncResource.bind` that
 * takes a hundred times as long (measured: 11 µs), since it defines properties of the function that it returns.
 */
export function bindHere<A extends unknown[]>(callback: (...args: A) => void): (...args: A) => void {
  const here = new AsyncResource('PostmarkMail')
  return (...args) => here.runInAsyncScope(callback, undefined, ...args)
}

/**
 * Adds fields to the innermost open scope; null clears.
 * @example updatePostmark({ metadata: { 'user-id': user.id } })
 * @returns false outside any scope, where nothing happens
 */
export function updatePostmark(fields: PostmarkFields): boolean {
  const scope = shared.storage.getStore()
  if (!scope) return false
  const { fields: update, problems } = readFields(fields, 'context')
  if (update.metadata === null) {
    // Metadata of this scope and of outer ones goes; what is added later counts again.
    const { metadata: _gone, ...others } = { ...scope.updates, ...update }
    scope.clearsMetadata = true
    scope.updates = others
  } else {
    scope.updates = toFields(foldLevels([scope.updates, update]), true)
  }
  // A problem of a field that is set again is told once; other fields keep theirs.
  const paths = new Set(problems.map((problem) => problem.path))
  scope.updateProblems = [...scope.updateProblems.filter(({ path }) => !paths.has(path)), ...problems]
  return true
}

/**
 * The fields that a mail sent here would take from its context; undefined outside any scope.
 * The result is plain JSON: carry it in a job, and open it there with `runWithPostmark(fields, work, { inherit: false })`.
 */
export function currentPostmark(): ParsedPostmarkFields | undefined {
  if (!shared.storage.getStore()) return undefined
  return toFields(foldLevels(contextLevels().map((level) => level.fields)))
}

const NO_LEVELS: readonly ContextLevel[] = []

/** The levels of the context here, the outermost first. Calls each context function once. */
export function contextLevels(): readonly ContextLevel[] {
  const innermost = shared.storage.getStore()
  if (!innermost) return NO_LEVELS
  const levels: ContextLevel[] = []
  let depth = 0
  for (let scope: Scope | undefined = innermost; scope; scope = scope.parent) {
    const { updates, updateProblems, isImplied } = scope
    const at = { name: 'context', scope: depth++, isImplied }
    if (updateProblems.length > 0 || Object.keys(updates).length > 0) {
      levels.push({ ...at, fields: updates, problems: updateProblems })
    }
    if (scope.clearsMetadata) levels.push({ ...at, fields: { metadata: null }, problems: [] })
    levels.push({ ...at, ...scope.read() })
  }
  return levels.reverse()
}

/** Calls a context function in the scope around its own, so that it can read the outer fields without a circle. */
function callContext(fields: () => PostmarkFields | null | undefined, parent: Scope | undefined): Reading {
  try {
    const result: unknown = shared.storage.run(parent, fields)
    if (result instanceof Promise) {
      result.catch(() => {})
      return lost(
        'returned a promise',
        'Await what it needs before the scope opens. A context function is called whenever a mail is sent.',
      )
    }
    return readFields(result, 'context')
  } catch (error) {
    return lost(
      `threw ${error instanceof Error ? error.name : 'a value'}`,
      'The mail was sent without the fields of this function.',
    )
  }
}

function lost(found: string, cure: string): Reading {
  const limit = 'a function that returns fields'
  return { fields: {}, problems: [{ path: 'context', found, limit, cure, severity: 'warning' }] }
}

function always(reading: Reading): () => Reading {
  return () => reading
}
