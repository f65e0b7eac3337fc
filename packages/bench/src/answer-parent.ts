/**
 * Reports to the process that measures where an application listens, and when asked the CPU that its process has used. Each
 * application has a process of its own: on Node 20 the first use of an AsyncLocalStorage slows each promise of a process.
 */
export function answerParent(port: number): void {
  process.send?.(port)
  process.on('message', () => {
    const { user, system } = process.cpuUsage()
    process.send?.(user + system)
  })
  process.on('disconnect', () => process.exit())
}
