// SPDX-License-Identifier: MIT
/* text.c -- an event as JSON, its fields, and copies that own what they point to. Pure. */
#include <jansson.h>
#include <stdlib.h>

#include "event/core.h"

const char *corm_event_value(const corm_event *event, const char *name) {
    for (uint32_t i = 0; i < event->data_count; i++) {
        if (strcmp(event->data[i].name, name) == 0) return event->data[i].value;
    }
    return NULL;
}

/* ---- copies ---- */

static size_t bytes_of(const char *text) {
    return text ? strlen(text) + 1 : 0;
}

static const char *put(char **next, const char *text) {
    if (!text) return NULL;
    size_t len = strlen(text) + 1;
    char  *at = memcpy(*next, text, len);
    *next += len;
    return at;
}

corm_event *event__copy(const corm_event *event) {
    size_t fields = event->data_count * sizeof *event->data;
    size_t bytes = sizeof *event + fields + bytes_of(event->type) + bytes_of(event->source) +
                   bytes_of(event->subject) + bytes_of(event->correlation_id);
    for (uint32_t i = 0; i < event->data_count; i++) {
        bytes += bytes_of(event->data[i].name) + bytes_of(event->data[i].value);
    }
    corm_event *copy = malloc(bytes);
    if (!copy) return NULL;
    corm_event_field *data = (corm_event_field *)(copy + 1);
    char             *next = (char *)data + fields;
    *copy = *event;
    copy->data = data;
    copy->object = NULL;
    copy->type = put(&next, event->type);
    copy->source = put(&next, event->source);
    copy->subject = put(&next, event->subject);
    copy->correlation_id = put(&next, event->correlation_id);
    for (uint32_t i = 0; i < event->data_count; i++) {
        data[i].name = put(&next, event->data[i].name);
        data[i].value = put(&next, event->data[i].value);
    }
    return copy;
}

/* ---- JSON ---- */

static bool put_text(json_t *object, const char *name, const char *text) {
    return !text || json_object_set_new(object, name, json_string(text)) == 0;
}

static bool put_data(json_t *object, const corm_event *event) {
    json_t *data = json_object();
    bool    good = data != NULL;
    for (uint32_t i = 0; i < event->data_count && good; i++) {
        const corm_event_field *field = &event->data[i];
        json_t                 *value = field->value ? json_string(field->value) : json_null();
        good = json_object_set_new(data, field->name, value) == 0;
    }
    if (good) return json_object_set_new(object, "data", data) == 0;
    json_decref(data);
    return false;
}

static bool put_numbers(json_t *object, const corm_event *event) {
    json_int_t number = (json_int_t)event->number;
    return json_object_set_new(object, "timestamp", json_integer(event->at.ms)) == 0 &&
           json_object_set_new(object, "number", json_integer(number)) == 0;
}

char *corm_event_json(const corm_event *event) {
    json_t *object = json_object();
    char   *text = NULL;
    bool    good = object && put_text(object, "type", event->type) &&
                put_text(object, "source", event->source) &&
                put_text(object, "subject", event->subject) && put_numbers(object, event) &&
                put_text(object, "correlationId", event->correlation_id) && put_data(object, event);
    if (good) text = json_dumps(object, JSON_COMPACT);
    json_decref(object);
    return text;
}
