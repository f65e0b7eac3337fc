/** Lets a limited number run at a time. The next one starts when one before it is done. */
export function createTurns(most: number): () => Promise<() => void> {
  let inside = 0
  const queue: (() => void)[] = []
  const leave = () => {
    const next = queue.shift()
    if (next) next()
    else inside -= 1
  }
  return async () => {
    if (inside < most) inside += 1
    else await new Promise<void>((resolve) => queue.push(resolve))
    return leave
  }
}
