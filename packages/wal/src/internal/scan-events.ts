/** What a scan of the log comes upon, and what it believes about the start of a segment. */

/** The file ends; `isWhole` says whether with a whole batch. */
export const FILE_END = 0;
/** A batch is whole: its records are in `batch`, its number is `lsn`. */
export const BATCH = 1;
/** The log's end record. */
export const LOG_END = 2;
/** Something is wrong at `faultOffset`. Throw, or call `drift` and go on. */
export const DAMAGE = 3;
/** After damage: a commit record was found. Its batch is lost; the next can be read. */
export const LANDED = 4;
/** With `each`: `batch` holds one record, of batch `lsn` + 1. */
export const RECORD = 5;

/** A segment's first record has to continue what was read before. */
export const CHECK_ALL = 0;
/** Its chain is believed: what it continues is gone. */
export const BELIEVE_CHAIN = 1;
/** Its number is believed too. */
export const BELIEVE_ALL = 2;
