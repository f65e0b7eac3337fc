import { expect } from 'vitest'
import { type SandboxMatchers, toHaveSent } from './matchers.js'

declare module 'vitest' {
  interface Matchers<T> extends SandboxMatchers {}
}

expect.extend({ toHaveSent })
