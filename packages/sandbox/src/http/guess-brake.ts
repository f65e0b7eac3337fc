/** Slows down clients that guess a password. */
export interface GuessBrake {
  /**
   * Checks a guess from an address: the first ones immediately, and one per second after some wrong ones. Returns `busy`
   * without a check if too many are waiting already.
   */
  check(address: string, isRight: () => boolean): Promise<'right' | 'wrong' | 'busy'>
}

const FREE_GUESSES = 5
const PAUSE_MS = 1000
const MOST_WAITING = 10
const MOST_ADDRESSES = 1000

interface Guesser {
  wrong: number
  waiting: number
  /** Settles when the last waiting guess has been checked. */
  turn: Promise<void>
}

/** Makes a brake that has seen no guess yet. */
export function createGuessBrake(): GuessBrake {
  const guessers = new Map<string, Guesser>()

  function look(address: string, isRight: () => boolean): 'right' | 'wrong' {
    if (isRight()) {
      guessers.delete(address)
      return 'right'
    }
    const guesser = guessers.get(address) ?? addGuesser(address)
    guesser.wrong += 1
    return 'wrong'
  }

  function addGuesser(address: string): Guesser {
    const [oldest] = guessers.keys()
    if (oldest !== undefined && guessers.size >= MOST_ADDRESSES) guessers.delete(oldest)
    const guesser = { wrong: 0, waiting: 0, turn: Promise.resolve() }
    guessers.set(address, guesser)
    return guesser
  }

  return {
    async check(address, isRight) {
      const guesser = guessers.get(address)
      if (guesser === undefined || guesser.wrong < FREE_GUESSES) return look(address, isRight)
      if (guesser.waiting >= MOST_WAITING) return 'busy'
      guesser.waiting += 1
      guesser.turn = guesser.turn.then(pause)
      await guesser.turn
      guesser.waiting -= 1
      return look(address, isRight)
    },
  }
}

function pause(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, PAUSE_MS).unref()
  })
}
