import { AsyncResource } from 'node:async_hooks'

/** Made when this module is loaded, which is before any request. */
const outside = new AsyncResource('PostmarkTransport')

/**
 * Runs a function outside of every scope, of whatever AsyncLocalStorage: what it starts, sockets and timers above all,
 * belongs to the process, and must not hold the request that happened to need it first.
 */
export function runOutsideScopes<A extends unknown[], R>(fn: (...args: A) => R, ...args: A): R {
  return outside.runInAsyncScope(fn, undefined, ...args)
}
