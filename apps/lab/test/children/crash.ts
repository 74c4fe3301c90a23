/** A child that dies while it measures. */
process.on("message", () => {
  process.stderr.write("the disk is on fire\n");
  process.exit(3);
});
