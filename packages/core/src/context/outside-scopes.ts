import { AsyncResource } from 'node:async_hooks'

/** Created when this module is loaded, which is before any request. */
const outside = new AsyncResource('PostmarkTransport')

/**
 * Runs a function outside every scope of every AsyncLocalStorage. What it starts, especially sockets and timers,
 * belongs to the process and must not keep the request that happened to need it first.
 */
export function runOutsideScopes<A extends unknown[], R>(fn: (...args: A) => R, ...args: A): R {
  return outside.runInAsyncScope(fn, undefined, ...args)
}
