const exercise = require('./exercise.cjs')

exercise((name) => require(name))
