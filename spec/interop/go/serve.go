package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"github.com/containerd/ttrpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

func unary(handle func(context.Context, *message) (interface{}, error)) ttrpc.Method {
	return func(ctx context.Context, take func(interface{}) error) (interface{}, error) {
		m := &message{}
		if err := take(m); err != nil {
			return nil, err
		}
		return handle(ctx, m)
	}
}

func echo(_ context.Context, m *message) (interface{}, error) {
	return response(imageOf(m)), nil
}

func later(ctx context.Context, m *message) (interface{}, error) {
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-time.After(time.Duration(idOf(m)) * time.Millisecond):
		return response(imageOf(m)), nil
	}
}

func refuse(_ context.Context, m *message) (interface{}, error) {
	return nil, status.Error(codes.Code(idOf(m)), "no")
}

// Tells in the tags which metadata came.
func metadata(ctx context.Context, _ *message) (interface{}, error) {
	value, _ := ttrpc.GetMetadataValue(ctx, "key")
	return response([]byte(value)), nil
}

// So many bytes as the session's id says.
func large(_ context.Context, m *message) (interface{}, error) {
	return response(make([]byte, idOf(m))), nil
}

func sum(_ context.Context, stream ttrpc.StreamServer) (interface{}, error) {
	var bytes []byte
	for {
		m := &message{}
		err := stream.RecvMsg(m)
		if errors.Is(err, io.EOF) {
			return response(bytes), nil
		}
		if err != nil {
			return nil, err
		}
		bytes = append(bytes, imageOf(m)...)
	}
}

func count(_ context.Context, stream ttrpc.StreamServer) (interface{}, error) {
	m := &message{}
	if err := stream.RecvMsg(m); err != nil {
		return nil, err
	}
	for i := int64(0); i < idOf(m); i++ {
		if err := stream.SendMsg(response([]byte{byte(i)})); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

func chat(_ context.Context, stream ttrpc.StreamServer) (interface{}, error) {
	for {
		m := &message{}
		err := stream.RecvMsg(m)
		if errors.Is(err, io.EOF) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		if code := idOf(m); code != 0 {
			return nil, status.Error(codes.Code(code), "as you say")
		}
		if err := stream.SendMsg(response(imageOf(m))); err != nil {
			return nil, err
		}
	}
}

func newServer() *ttrpc.Server {
	server, err := ttrpc.NewServer()
	if err != nil {
		fail(err)
	}
	server.RegisterService("test", &ttrpc.ServiceDesc{
		Methods: map[string]ttrpc.Method{
			"Echo": unary(echo), "Later": unary(later), "Fail": unary(refuse),
			"Metadata": unary(metadata), "Large": unary(large),
		},
		Streams: map[string]ttrpc.Stream{
			"Sum":   {Handler: sum, StreamingClient: true},
			"Count": {Handler: count, StreamingServer: true},
			"Chat":  {Handler: chat, StreamingClient: true, StreamingServer: true},
		},
	})
	return server
}

// Until standard input ends.
func serve(listener net.Listener) {
	server := newServer()
	go func() {
		if err := server.Serve(context.Background(), listener); err != nil && !errors.Is(err, ttrpc.ErrServerClosed) {
			fail(err)
		}
	}()
	fmt.Println("serving")
	_, _ = io.Copy(io.Discard, os.Stdin)
	server.Close()
}
