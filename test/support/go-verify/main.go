// What crypto/x509 says of chains: a JSON array of {roots, chain, host} on stdin, an array of its words on stdout, empty for a yes.
package main

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"os"
)

type question struct {
	Roots string `json:"roots"`
	// A leaf, and then its intermediate.
	Chain string `json:"chain"`
	Host  string `json:"host"`
}

func answer(asked question) string {
	options := x509.VerifyOptions{DNSName: asked.Host, Roots: x509.NewCertPool(), Intermediates: x509.NewCertPool()}
	options.Roots.AppendCertsFromPEM([]byte(asked.Roots))
	block, rest := pem.Decode([]byte(asked.Chain))
	if block == nil {
		return "no certificate"
	}
	options.Intermediates.AppendCertsFromPEM(rest)
	leaf, err := x509.ParseCertificate(block.Bytes)
	if err == nil {
		_, err = leaf.Verify(options)
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

func main() {
	var questions []question
	if err := json.NewDecoder(os.Stdin).Decode(&questions); err != nil {
		panic(err)
	}
	answers := []string{}
	for _, each := range questions {
		answers = append(answers, answer(each))
	}
	if err := json.NewEncoder(os.Stdout).Encode(answers); err != nil {
		panic(err)
	}
}
