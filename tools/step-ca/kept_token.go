package main

import (
	"context"
	"crypto"
	"io"
	"log"
	"sync"
	"time"

	"go.step.sm/crypto/kms/apiv1"
)

// answerTime is how long a process goes on after its token has failed, so that whoever asked is told.
const answerTime = time.Second

// keptToken is a token that this process has opened once. Upstream opens another for every configuration that it reads, which
// p11-kit's library does not take from a process that has it open, and goes on without a token whose server has gone, never to
// sign again, while its health check says that all is well.
type keptToken struct {
	apiv1.KeyManager
}

// Close leaves the token open: the next configuration finds it by the same address.
func (keptToken) Close() error {
	return nil
}

// CreateSigner gives a signer that ends the process when the token fails it. Whatever keeps the process starts another.
func (t keptToken) CreateSigner(request *apiv1.CreateSignerRequest) (crypto.Signer, error) {
	signer, err := t.KeyManager.CreateSigner(request)
	if err != nil {
		return nil, err
	}
	return endingSigner{signer}, nil
}

type endingSigner struct {
	crypto.Signer
}

func (s endingSigner) Sign(random io.Reader, digest []byte, options crypto.SignerOpts) ([]byte, error) {
	signature, err := s.Signer.Sign(random, digest, options)
	if err != nil {
		time.AfterFunc(answerTime, func() { log.Fatalf("the token does not sign, so it is opened anew: %v", err) })
	}
	return signature, err
}

func init() {
	open, ok := apiv1.LoadKeyManagerNewFunc(apiv1.PKCS11)
	if !ok {
		return
	}
	var mutex sync.Mutex
	kept := map[string]keptToken{}
	apiv1.Register(apiv1.PKCS11, func(ctx context.Context, options apiv1.Options) (apiv1.KeyManager, error) {
		mutex.Lock()
		defer mutex.Unlock()
		if token, found := kept[options.URI]; found {
			return token, nil
		}
		opened, err := open(ctx, options)
		if err != nil {
			return nil, err
		}
		kept[options.URI] = keptToken{opened}
		return kept[options.URI], nil
	})
}
