import type { ChildProcess } from 'node:child_process'

/** The output of a server. */
export interface ServerLog {
  /** Everything so far. */
  readonly text: string
  /** Resolves to the first match; waits for it if necessary. */
  waitFor(pattern: RegExp): Promise<RegExpExecArray>
}

/** Keeps what a process writes to its standard output. */
export function keepLog(name: string, process: ChildProcess): ServerLog {
  let text = ''
  let ended = false
  const waiting = new Set<() => void>()
  const wake = () => {
    for (const look of waiting) look()
  }
  process.stdout?.on('data', (chunk: Buffer) => {
    text += chunk
    wake()
  })
  process.once('close', () => {
    ended = true
    wake()
  })
  const waitFor = (pattern: RegExp) =>
    new Promise<RegExpExecArray>((resolve, reject) => {
      const look = () => {
        const match = pattern.exec(text)
        if (match) resolve(match)
        else if (ended) reject(new Error(`${name} ended before it logged ${pattern}:\n${text}`))
        else return void waiting.add(look)
        waiting.delete(look)
      }
      look()
    })
  return {
    get text() {
      return text
    },
    waitFor,
  }
}
