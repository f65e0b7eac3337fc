import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks'
import type { Level } from '../fields/merge-fields.js'
import { foldLevels, toFields } from '../fields/merge-fields.js'
import type { Reading } from '../fields/read-fields.js'
import { readFields } from '../fields/read-fields.js'
import type { PostmarkProblem } from '../problems/problem.js'
import type { ParsedPostmarkFields, PostmarkFields } from '../vocabulary/vocabulary.js'

/**
 * The fields of a scope, or a function that returns them. The function is called once per email, when the email is sent.
 */
export type ScopeFields = PostmarkFields | (() => PostmarkFields | null | undefined)

/** One open scope. Only `updatePostmark` changes it, by replacing its values. */
interface Scope {
  readonly parent: Scope | undefined
  readonly read: () => Reading
  updates: ParsedPostmarkFields
  updateProblems: readonly PostmarkProblem[]
  clearsMetadata: boolean
  /** Whether it only carries fields and was not opened explicitly: see {@link runUnscoped}. */
  readonly isImplied?: boolean
}

/** A level of the context, as seen by an email. */
export interface ContextLevel extends Level<ParsedPostmarkFields> {
  readonly problems: readonly PostmarkProblem[]
  /** Which scope, counted from the innermost, which is 0. */
  readonly scope: number
  /** Whether its scope was not opened explicitly. */
  readonly isImplied?: boolean | undefined
}

/** What all installed copies of this package share within a process. */
interface Shared {
  readonly storage: AsyncLocalStorage<Scope | undefined>
  /** Transporters and transports that any copy is attached to, and the plugins used for it. */
  readonly claimed: WeakSet<object>
}

const KEY = Symbol.for('@postmark-smtp/core/1')

const holder = globalThis as { [KEY]?: Shared }
holder[KEY] ??= { storage: new AsyncLocalStorage(), claimed: new WeakSet() }
const shared: Shared = holder[KEY]

/** Whether a transporter or a transport is seen for the first time. Attaching twice has no further effect. */
export function claim(subject: object): boolean {
  if (shared.claimed.has(subject)) return false
  shared.claimed.add(subject)
  return true
}

/** Whether any copy of this package is attached to a transporter, or created a plugin. */
export function isClaimed(subject: object): boolean {
  return shared.claimed.has(subject)
}

/** Options of {@link runWithPostmark}. */
export interface RunWithPostmarkOptions {
  /** Whether the fields of outer scopes apply as well. Default true. Use false for a job, which must start clean. */
  readonly inherit?: boolean
}

/**
 * Runs a function in a scope: every email sent from within it, including asynchronously and later, carries the fields.
 * Scopes can be nested; the innermost wins. Fields that break a limit never throw here; they are shortened when an email
 * is sent.
 * @example await runWithPostmark({ tag: 'signup', metadata: { 'user-id': user.id } }, () => register(user))
 * @returns what the function returns
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
 * Keeps the scope that is open here, for callbacks that run outside it. The returned function runs a function in that
 * scope. If that scope, or one inside it, is already open where it is called, the function runs there. No other
 * AsyncLocalStorage is affected.
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
 * Runs a function whose emails carry the given fields, but without a scope that the option `requireScope` would accept:
 * for a job that was created outside any scope. No other AsyncLocalStorage is affected.
 */
export function runUnscoped<R>(fields: PostmarkFields, fn: () => R): R {
  return shared.storage.run(openScope(undefined, always(readFields(fields, 'context')), true), fn)
}

function openScope(parent: Scope | undefined, read: Scope['read'], isImplied = false): Scope {
  return { parent, read, updates: {}, updateProblems: [], clearsMetadata: false, isImplied }
}

/**
 * Makes a callback run in the scope, and in every other AsyncLocalStorage, that is open here. `AsyncResource.bind`
 * takes a hundred times as long (measured: 11 µs), because it defines properties on the function that it returns.
 */
export function bindHere<A extends unknown[]>(callback: (...args: A) => void): (...args: A) => void {
  const here = new AsyncResource('PostmarkMail')
  return (...args) => here.runInAsyncScope(callback, undefined, ...args)
}

/**
 * Adds fields to the innermost open scope. `null` clears a field.
 * @example updatePostmark({ metadata: { 'user-id': user.id } })
 * @returns false outside any scope; nothing is changed then
 */
export function updatePostmark(fields: PostmarkFields): boolean {
  const scope = shared.storage.getStore()
  if (!scope) return false
  const { fields: update, problems } = readFields(fields, 'context')
  if (update.metadata === null) {
    // The metadata of this scope and of outer ones is cleared. What is added later counts again.
    const { metadata: _gone, ...others } = { ...scope.updates, ...update }
    scope.clearsMetadata = true
    scope.updates = others
  } else {
    scope.updates = toFields(foldLevels([scope.updates, update]), true)
  }
  // If a field is set again, its problem is reported once; the problems of other fields stay.
  const paths = new Set(problems.map((problem) => problem.path))
  scope.updateProblems = [...scope.updateProblems.filter(({ path }) => !paths.has(path)), ...problems]
  return true
}

/**
 * Returns the fields that an email sent here would get from its context. Undefined outside any scope. The result is plain
 * JSON: carry it in a job, and open a scope with it there, using `runWithPostmark(fields, work, { inherit: false })`.
 */
export function currentPostmark(): ParsedPostmarkFields | undefined {
  if (!shared.storage.getStore()) return undefined
  return toFields(foldLevels(contextLevels().map((level) => level.fields)))
}

const NO_LEVELS: readonly ContextLevel[] = []

/** The levels of the context here, outermost first. Calls each context function once. */
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

/** Calls a context function in the scope around its own, so that it can read the outer fields without recursion. */
function callContext(fields: () => PostmarkFields | null | undefined, parent: Scope | undefined): Reading {
  try {
    const result: unknown = shared.storage.run(parent, fields)
    if (result instanceof Promise) {
      result.catch(() => {})
      return lost(
        'returned a promise',
        'Await what it needs before the scope opens. A context function is called whenever an email is sent.',
      )
    }
    return readFields(result, 'context')
  } catch (error) {
    return lost(
      `threw ${error instanceof Error ? error.name : 'a value'}`,
      'The email was sent without the fields of this function.',
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
