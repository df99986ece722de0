<?php
// Identity API: an administrator lists the active accounts, page by page; prints their ids.
// Needs HEADCOUNT_API (base address) and HEADCOUNT_ADMIN_TOKEN, PHP 8 and Guzzle 7: composer require guzzlehttp/guzzle, or
// Debian's php-guzzlehttp-guzzle. HEADCOUNT_PAGE is how many a page has, 100 otherwise.

declare(strict_types=1);

$autoloaders = [getcwd() . '/vendor/autoload.php', '/usr/share/php/GuzzleHttp/autoload.php'];
require current(array_filter($autoloaders, 'is_file'));

use GuzzleHttp\Client;
use GuzzleHttp\HandlerStack;
use GuzzleHttp\Middleware;

$busy = fn ($retries, $request, $response, $error) =>
    $retries < 3 && ($error !== null || in_array($response->getStatusCode(), [429, 503], true));
$wait = fn ($retries, $response) => 1000 * (int) ($response?->getHeaderLine('Retry-After') ?: 1);
$handler = HandlerStack::create();
$handler->push(Middleware::retry($busy, $wait));
$client = new Client(['base_uri' => getenv('HEADCOUNT_API'), 'handler' => $handler, 'timeout' => 30]);

$query = ['status' => 'active', 'limit' => getenv('HEADCOUNT_PAGE') ?: 100];
while (true) {
    $response = $client->get('/v1/accounts', [
        'http_errors' => false,
        'headers' => ['Authorization' => 'Bearer ' . getenv('HEADCOUNT_ADMIN_TOKEN')],
        'query' => $query,
    ]);
    $body = json_decode((string) $response->getBody(), true);
    if ($response->getStatusCode() !== 200) {
        fprintf(STDERR, "%d %s: %s\n", $response->getStatusCode(), $body['error'] ?? '', $body['message']);
        foreach ($body['details'] ?? [] as $fault) {
            fprintf(STDERR, "  %s: %s\n", $fault['field'], $fault['message']);
        }
        exit(1);
    }
    foreach ($body['data'] as $account) {
        echo $account['id'], "\n";
    }
    // A page may be empty, and not the last one.
    if (!$body['has_more']) {
        break;
    }
    $query['cursor'] = $body['next_cursor'];
}
