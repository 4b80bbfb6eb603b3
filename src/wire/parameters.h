// SPDX-License-Identifier: MIT
/* parameters.h -- the flags of QUERY, EXECUTE, BATCH and PREPARE. Native protocol v5 specification, section 4.1.4. Private
 * to this folder. */
#ifndef WIRE_PARAMETERS_H
#define WIRE_PARAMETERS_H

enum {
    WIRE_HAS_VALUES = 0x01,
    WIRE_SKIP_METADATA = 0x02,
    WIRE_HAS_PAGE_SIZE = 0x04,
    WIRE_HAS_PAGING_STATE = 0x08,
    WIRE_HAS_SERIAL = 0x10,
    WIRE_HAS_TIMESTAMP = 0x20,
    WIRE_HAS_NAMES = 0x40,
    WIRE_HAS_KEYSPACE = 0x80, /* from here on v5 */
    WIRE_HAS_NOW = 0x100,
    WIRE_PREPARE_KEYSPACE = 0x01, /* of PREPARE */

    WIRE_ITEM_TEXT = 0, /* kinds of a batch's statements */
    WIRE_ITEM_PREPARED = 1
};

#endif
