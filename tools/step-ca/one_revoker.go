package main

import (
	"errors"
	"strings"

	"github.com/smallstep/certificates/db"
	"github.com/smallstep/certificates/errs"
)

// revoker is the one provisioner whose tokens revoke. Names of JWK provisioners stand before a colon in their identifiers;
// those of every other type have their type before a slash.
const revoker = "backend"

// oneRevoker is an authority's database. Upstream lets every provisioner revoke every serial number, and every certificate
// under the root one of its own number, whoever issued it. All of these ways end here.
type oneRevoker struct {
	*db.DB
}

func openDatabase(settings *db.Config) (oneRevoker, error) {
	opened, err := db.New(settings)
	if err != nil {
		return oneRevoker{}, err
	}
	kept, ok := opened.(*db.DB)
	if !ok {
		return oneRevoker{}, errors.New(`the configuration has no "db", and revocations would be forgotten`)
	}
	return oneRevoker{kept}, nil
}

// Revoke keeps a revocation that a token of the backend's asked for.
func (d oneRevoker) Revoke(info *db.RevokedCertificateInfo) error {
	if info.MTLS || info.ACME || !strings.HasPrefix(info.ProvisionerID, revoker+":") {
		return refused()
	}
	return d.DB.Revoke(info)
}

// RevokeSSH refuses: there are no SSH certificates here.
func (d oneRevoker) RevokeSSH(*db.RevokedCertificateInfo) error {
	return refused()
}

// IsRevoked is what upstream asks before it renews, and nowhere else. It renews, without a token or a webhook, whatever
// certificate under the root names no provisioner; here that ends with an error.
func (d oneRevoker) IsRevoked(string) (bool, error) {
	return false, errs.Forbidden("there is no renewal without the backend (renewal)")
}

func refused() error {
	return errs.Forbidden("the backend alone revokes (revoker)")
}
