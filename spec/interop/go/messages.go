package main

// Messages as bytes: protobuf keeps fields that a type does not know, and Empty knows none, so
// that nothing has to be generated.

import (
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/types/known/emptypb"
)

type message = emptypb.Empty

func number(bytes []byte, field protowire.Number, value int64) []byte {
	bytes = protowire.AppendTag(bytes, field, protowire.VarintType)
	return protowire.AppendVarint(bytes, uint64(value))
}

func text(bytes []byte, field protowire.Number, value []byte) []byte {
	bytes = protowire.AppendTag(bytes, field, protowire.BytesType)
	return protowire.AppendBytes(bytes, value)
}

func raw(bytes []byte) *message {
	m := &message{}
	m.ProtoReflect().SetUnknown(bytes)
	return m
}

// Number is the last varint of that field, or 0.
func numberOf(m *message, field protowire.Number) int64 {
	var found int64
	each(m, func(at protowire.Number, kind protowire.Type, value []byte) {
		if at == field && kind == protowire.VarintType {
			v, _ := protowire.ConsumeVarint(value)
			found = int64(v)
		}
	})
	return found
}

// Text is the last bytes of that field, or none.
func textOf(m *message, field protowire.Number) []byte {
	var found []byte
	each(m, func(at protowire.Number, kind protowire.Type, value []byte) {
		if at == field && kind == protowire.BytesType {
			found, _ = protowire.ConsumeBytes(value)
		}
	})
	return found
}

func each(m *message, visit func(protowire.Number, protowire.Type, []byte)) {
	bytes := m.ProtoReflect().GetUnknown()
	for len(bytes) > 0 {
		field, kind, n := protowire.ConsumeTag(bytes)
		if n < 0 {
			return
		}
		bytes = bytes[n:]
		n = protowire.ConsumeFieldValue(field, kind, bytes)
		if n < 0 {
			return
		}
		visit(field, kind, bytes[:n])
		bytes = bytes[n:]
	}
}

// vaccel.image's messages: Request { int64 session_id = 1; bytes image = 2; } and
// Response { bytes tags = 1; }.

func request(id int64, image []byte) *message {
	return raw(text(number(nil, 1, id), 2, image))
}

func idOf(m *message) int64 { return numberOf(m, 1) }

func imageOf(m *message) []byte { return textOf(m, 2) }

func response(tags []byte) *message { return raw(text(nil, 1, tags)) }

func tagsOf(m *message) []byte { return textOf(m, 1) }

// Bytes that are no Request.
func malformed() *message { return raw([]byte{0x12, 0x7f}) }
