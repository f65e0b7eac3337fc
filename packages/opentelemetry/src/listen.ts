import { subscribe, unsubscribe } from 'node:diagnostics_channel'

type Listener = (event: unknown) => void

/** Listeners by the names of their channels. */
export interface Listeners {
  readonly on: Readonly<Record<string, (event: never) => void>>
}

/** Subscribes all listeners; returns the function that unsubscribes them. */
export function listen(all: readonly Listeners[]): () => void {
  const pairs = all.flatMap(({ on }) => Object.entries(on) as [string, Listener][])
  // Each observation has its own functions: unsubscribing one must not end another.
  const subscribed = pairs.map(([name, listener]): [string, Listener] => [name, (event) => listener(event)])
  for (const [name, listener] of subscribed) subscribe(name, listener)
  return () => {
    for (const [name, listener] of subscribed.splice(0)) unsubscribe(name, listener)
  }
}
