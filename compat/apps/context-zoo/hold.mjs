/** An email that is sent when somebody calls `call`; `done` settles with it. */
export function hold(send) {
  let call
  const done = new Promise((resolve, reject) => {
    call = () => {
      send().then(resolve, reject)
    }
  })
  return { call, done }
}
