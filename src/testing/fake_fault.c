// SPDX-License-Identifier: MIT
/* fake_fault.c -- what becomes of an answer by chance: a pure function of the seed, the node and how many answers the node has
 * given. The fake's thread. */
#include "testing/fake.h"

/* The n-th draw for this answer, in [0, 1). */
static double draw(const fake_node *node, unsigned n) {
    uint64_t seed = fake__mix(node->fake->options.seed, node->index);
    return (double)(fake__mix(seed, node->answers * 16 + n) >> 11) * 0x1.0p-53;
}

fake_fate fake__fate(fake_node *node) {
    const corm_fake_faults *faults = &node->faults;
    fake_fate               fate = { 0 };
    node->answers++;
    if (!node->has_faults) return fate;
    fate.drop = draw(node, 0) < faults->drop;
    fate.close = draw(node, 1) < faults->close;
    fate.twice = draw(node, 2) < faults->duplicate;
    fate.how.damaged = draw(node, 3) < faults->garbage;
    fate.how.split = draw(node, 4) < faults->split;
    fate.unprepared = draw(node, 5) < faults->unprepared;
    fate.overloaded = draw(node, 6) < faults->overloaded;
    if (draw(node, 7) < faults->delay) {
        fate.delay_ms = 1 + (uint32_t)(draw(node, 8) * faults->max_delay_ms);
    }
    return fate;
}
