import { subscribe, unsubscribe } from 'node:diagnostics_channel'

type Listener = (event: unknown) => void

/** What listens to channels, by the names of these. */
export interface Listeners {
  readonly on: Readonly<Record<string, (event: never) => void>>
}

/** Subscribes them all; returns what ends that. */
export function listen(all: readonly Listeners[]): () => void {
  const pairs = all.flatMap(({ on }) => Object.entries(on) as [string, Listener][])
  // Of its own for each observation: unsubscribing one must not end another.
  const subscribed = pairs.map(([name, listener]): [string, Listener] => [name, (event) => listener(event)])
  for (const [name, listener] of subscribed) subscribe(name, listener)
  return () => {
    for (const [name, listener] of subscribed.splice(0)) unsubscribe(name, listener)
  }
}
