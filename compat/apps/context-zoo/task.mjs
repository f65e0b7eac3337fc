export default (value) => value
